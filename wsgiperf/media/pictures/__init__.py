"""What is done to pictures, with Pillow; nothing outside this folder imports it."""
