"""What messages say around what was published, in Chinese and English."""
