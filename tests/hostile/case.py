"""One hostile file: what it holds and how its reader must end."""
from dataclasses import dataclass


@dataclass
class Case:
    name: str          # of the file
    data: object       # bytes, or a function that makes something else at the path it is given
    code: int          # exit code of the reader
    text: str          # part of the message, in any case
    seconds: float = 1.0
    mebibytes: int = 256
    loads: tuple = (0, 3)  # what else may end programs that want to use it


def in_pieces(pieces):
    """A large file, written without ever being held: what a child may use is counted from what this
    process had at its start."""
    def write(path):
        with open(path, "wb") as file:
            for piece in pieces():
                file.write(piece)
    return write


def cuts(stem, suffix, data, parts, code, text):
    """The file cut at every 1/parts of its length."""
    return [Case(f"{stem}_{i:02}{suffix}", data[: len(data) * i // parts], code, text)
            for i in range(1, parts)]
