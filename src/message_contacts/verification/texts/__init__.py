"""What verification messages say, in Chinese and English."""
