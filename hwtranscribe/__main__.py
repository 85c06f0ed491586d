"""`python -m hwtranscribe`."""

from hwtranscribe.cli import main

if __name__ == "__main__":
    main()
