"""Errors that speak to a person."""


class UserError(Exception):
    """A mistake a user can mend; its text is one line: what, where, what is allowed, what to do."""


class PointFailure(Exception):
    """A run that broke down physically; a result of the campaign, not a fault of the program.

    Attributes
    ----------
    status : str
        One of the keys of `lah10.analysis.summary.STATUS` ("lost_atoms", "nan", ...).
    """

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status
