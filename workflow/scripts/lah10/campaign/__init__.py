"""What concerns all points of a campaign at once."""
