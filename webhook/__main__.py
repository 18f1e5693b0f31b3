"""`python -m webhook`."""

from webhook.serve import main

if __name__ == "__main__":
    main()
