"""Errors that speak to a person."""


class UserError(Exception):
    """A mistake a user can mend, in one line: what, where, what is expected, what to do."""


class Unfinished(Exception):
    """A run that stopped at a checkpoint because it was asked to, and that goes on when it is given
    again; neither a result nor a failure."""


class PointFailure(Exception):
    """A run that broke down physically; a result of the campaign, not a fault of the program.

    Attributes
    ----------
    status : str
        One of the keys of `lah10.schema.STATUS` ("lost_atoms", "nan", ...).
    """

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status
