"""The processes of one installation on one host: started in order, kept running, and never left behind."""
