"""`dlr up --demo`: the service beside an offline Infobip, 200 messages, and what became of them."""
