"""The command line: parse, call the library, write.

Begin in `app.py`: it puts the commands of the other files together, and it is the one place that
turns an error into a line and an exit code. Commands hold no logic and import nothing heavy early.
"""
