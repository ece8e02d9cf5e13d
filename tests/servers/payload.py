"""What the application sends and the checks expect: shared by the server processes and the tests."""

MOUNT = "/mount"  # every server mounts the application here, each by its own means

TEXT = ("Content-Type", "text/plain; charset=utf-8")
# Well above the least size worth compressing, each block different so that a swap is seen.
BLOCKS = [f"block {number} of three ".encode() * 60 for number in range(3)]
WHOLE = b"".join(BLOCKS)
LENGTH = ("Content-Length", str(len(WHOLE)))

RANGE = (500, 2499)  # first and last byte of the partial answer

EVENTS = [f"data: event {number}\n\n".encode() for number in range(5)]
PAGES = [f"<p>part {number}</p>\n".encode() * 100 for number in range(5)]

# Fields that a careless wrapper merges, reorders or re-encodes.
AWKWARD_FIELDS = [
    ("Set-Cookie", "first=1; Path=/"),
    ("X-App-Odd", "caf\xe9"),
    ("Set-Cookie", "second=2; Path=/"),
    ("x-app-lower", "kept"),
]

FILE_NAME = "file.bin"
FILE_BYTES = bytes(range(256)) * 1000
TEXT_FILE_NAME = "file.txt"
TEXT_FILE_BYTES = b"a line of text in a file\n" * 4000

HINT = ("Link", "</style.css>; rel=preload; as=style")
