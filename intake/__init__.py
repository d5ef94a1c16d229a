"""How mail enters: lists of people and single mailings, checked first, then stored whole or not at all."""

from intake.campaigns.recent_pieces import Again, RecentPiecesError
from intake.campaigns.submit import Submission, submit_campaign
from intake.csv.preview import ImportPreview, check_campaign
from intake.errors import ConflictError, IntakeError
from intake.mailings import SubmittedMailing, submit_mailing
from intake.options import Options, Postage, Speed
from intake.recipients.recipient import Recipient

__all__ = [
    "Again",
    "ConflictError",
    "ImportPreview",
    "IntakeError",
    "Options",
    "Postage",
    "RecentPiecesError",
    "Recipient",
    "Speed",
    "Submission",
    "SubmittedMailing",
    "check_campaign",
    "submit_campaign",
    "submit_mailing",
]
