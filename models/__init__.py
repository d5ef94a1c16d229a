"""What is remembered: tables, the states of a mailing and the moves between them. Imports no other room."""

from models.acceptance import AcceptedDifference, Difference
from models.api_token import Token
from models.approval import Decision, Verdict
from models.audit import EventLog, Heartbeat, VendorCall
from models.base import Base
from models.budget import Budget, Purse, Reservation, Spending
from models.campaign import Campaign, RejectedRow
from models.column_mapping import ColumnMapping
from models.event import Event, EventOutcome, Firing
from models.installation import CreateGate, Installation, Stray, StrayFate
from models.mailing import Mailing
from models.money import Charge, Quote, QuoteLine
from models.paid_order import PaidOrder
from models.proof import Proof
from models.recipient import SPARED, Outcome, Recipient
from models.schedule import DAY_SECONDS, CatchUp, Choice, HoldMode, IfLate, Recurrence
from models.states import ENDED, MOVES, OPEN, Approval, Move, Priority, Stage, State
from models.suppression import DO_NOT_MAIL, CapPer, Erasure, Mark, Suppression, SuppressionList
from models.trigger import Gathering, Trigger, TriggerVersion
from models.webhook import Delivery, Notice, NoticeKind, Tracking, Webhook

__all__ = [
    "DAY_SECONDS",
    "DO_NOT_MAIL",
    "ENDED",
    "MOVES",
    "OPEN",
    "SPARED",
    "AcceptedDifference",
    "Approval",
    "Base",
    "Budget",
    "Campaign",
    "CapPer",
    "CatchUp",
    "Charge",
    "Choice",
    "ColumnMapping",
    "CreateGate",
    "Decision",
    "Delivery",
    "Difference",
    "Erasure",
    "Event",
    "EventLog",
    "EventOutcome",
    "Firing",
    "Gathering",
    "Heartbeat",
    "HoldMode",
    "IfLate",
    "Installation",
    "Mailing",
    "Mark",
    "Move",
    "Notice",
    "NoticeKind",
    "Outcome",
    "PaidOrder",
    "Priority",
    "Proof",
    "Purse",
    "Quote",
    "QuoteLine",
    "Recipient",
    "Recurrence",
    "RejectedRow",
    "Reservation",
    "Spending",
    "Stage",
    "State",
    "Stray",
    "StrayFate",
    "Suppression",
    "SuppressionList",
    "Token",
    "Tracking",
    "Trigger",
    "TriggerVersion",
    "VendorCall",
    "Verdict",
    "Webhook",
]
