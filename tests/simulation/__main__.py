"""`python -m tests.simulation 'a world' SEED DAYS`: one run again, as a failure's text says it; no name: the names."""

import sys

from .report import table
from .trial import judge, live
from .worlds import BY_NAME


def main() -> None:
    if len(sys.argv) != 4:
        print("\n".join(BY_NAME))
        return
    world = BY_NAME[sys.argv[1]]
    result = live(world, int(sys.argv[2]), float(sys.argv[3]))
    print(table({world.name: [result]}))
    judge(world, result)


if __name__ == "__main__":
    main()
