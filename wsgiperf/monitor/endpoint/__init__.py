"""The monitor's own pages: who may see them (access), which there are (routing), and what they say."""
