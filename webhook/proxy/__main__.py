"""`python -m webhook.proxy`."""

from webhook.proxy.serve import main

if __name__ == "__main__":
    main()
