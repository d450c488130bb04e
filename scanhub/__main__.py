"""`python -m scanhub`, the same as `scanhub`."""

from scanhub.app import main

if __name__ == "__main__":
    main()
