"""What an enum of reasons is made of."""

from enum import Enum


class Worded(Enum):
    """Each member has a word for programs, which never changes, and a text for a person."""

    def __init__(self, word: str, text: str) -> None:
        self.word = word
        self.text = text
