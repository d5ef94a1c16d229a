"""Recipients without vendor calls and claims: matching, outcomes, frequency caps and policy."""
