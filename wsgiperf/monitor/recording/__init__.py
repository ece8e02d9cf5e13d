"""What requests add to shared memory, and how it is read back."""
