"""What a potential is measured by."""
