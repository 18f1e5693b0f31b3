"""`dlr subscribe`: have Infobip post to this service, by its Subscriptions API."""
