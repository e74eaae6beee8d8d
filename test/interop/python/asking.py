"""Prints what an admin client was told, a block for each call: "$ NAME", then a line for each part of the answer, or the error in its words."""

import enum


def tell(name: str, answer: object) -> None:
    """A mapping is told entry by entry, by its sorted keys."""
    print(f"$ {name}")
    if isinstance(answer, dict) and answer:
        for line in sorted(f"{text(key)}: {text(value)}" for key, value in answer.items()):
            print(f"  {line}")
    else:
        print(f"  {text(answer)}")


def text(value: object) -> str:
    """One line, the same for the same contents: fields and keys sorted, error classes by their names."""
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {', '.join(str(each) for each in value.args)}".replace("\n", " ")
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{text(key)}: {text(each)}" for key, each in value.items())) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(text(each) for each in value)) + "}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return f"{type(value).__name__}({', '.join(f'{field}={text(getattr(value, field))}' for field in value._fields)})"
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "[" + ", ".join(sorted(text(each) for each in value)) + "]"  # Fields of the wire, in whatever order they came.
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(each) for each in value) + "]"
    if hasattr(value, "__dict__") and not callable(value) and value.__dict__:
        fields = sorted(f"{name}={text(each)}" for name, each in value.__dict__.items() if not name.startswith("_"))
        return f"{type(value).__name__}({', '.join(fields)})"
    return str(value)
