"""The pass-through between applications and Infobip, which registers what is sent."""
