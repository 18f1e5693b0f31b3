"""Everything that knows Infobip's wire: what it posts to us, and what we ask of it."""
