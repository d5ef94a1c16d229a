"""What is remembered: tables, the states of a mailing and the moves between them. Imports no other room."""

from models.acceptance import AcceptedDifference, Difference
from models.api_token import Token
from models.approval import ApprovalDecision, Decision
from models.audit import Heartbeat, StateChange, VendorCall
from models.base import Base
from models.budget import Budget, BudgetScope, Reservation, ReservationStatus
from models.campaign import Campaign, ColumnMapping, RejectedRow
from models.event import Event, EventOutcome, TriggerRun
from models.installation import CreateGate, Installation, OrphanOrder, OrphanStatus
from models.mailing import Mailing
from models.money import Charge, Quote, QuoteLine
from models.paid_order import PaidOrder
from models.proof import Proof
from models.recipient import SPARED, Outcome, Recipient
from models.schedule import DAY_SECONDS, CatchUp, DeliveryOptionRow, HoldMode, IfLate, Recurrence
from models.states import ENDED, OPEN, TRANSITIONS, Approval, Priority, Stage, State, Transition
from models.suppression import DO_NOT_MAIL, CapPer, Erasure, IdentityKind, Suppression, SuppressionList
from models.trigger import EventBatch, Trigger, TriggerVersion
from models.webhook import DeliveryTracking, NotificationType, PieceDelivery, Webhook, WebhookDelivery

__all__ = [
    "DAY_SECONDS",
    "DO_NOT_MAIL",
    "ENDED",
    "OPEN",
    "SPARED",
    "TRANSITIONS",
    "AcceptedDifference",
    "Approval",
    "ApprovalDecision",
    "Base",
    "Budget",
    "BudgetScope",
    "Campaign",
    "CapPer",
    "CatchUp",
    "Charge",
    "ColumnMapping",
    "CreateGate",
    "Decision",
    "DeliveryOptionRow",
    "DeliveryTracking",
    "Difference",
    "Erasure",
    "Event",
    "EventBatch",
    "EventOutcome",
    "Heartbeat",
    "HoldMode",
    "IdentityKind",
    "IfLate",
    "Installation",
    "Mailing",
    "NotificationType",
    "OrphanOrder",
    "OrphanStatus",
    "Outcome",
    "PaidOrder",
    "PieceDelivery",
    "Priority",
    "Proof",
    "Quote",
    "QuoteLine",
    "Recipient",
    "Recurrence",
    "RejectedRow",
    "Reservation",
    "ReservationStatus",
    "Stage",
    "State",
    "StateChange",
    "Suppression",
    "SuppressionList",
    "Token",
    "Transition",
    "Trigger",
    "TriggerRun",
    "TriggerVersion",
    "VendorCall",
    "Webhook",
    "WebhookDelivery",
]
