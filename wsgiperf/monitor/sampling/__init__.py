"""Once a second, in one worker of all: CPU and memory, and whatever else goes on beside requests."""
