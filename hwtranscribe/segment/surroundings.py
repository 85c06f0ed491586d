"""What is seen within a field and belongs to what surrounds it: writing that hangs on a frame that is still there."""

RIM, CHARACTER = 0.12, 0.3
"""What stands within a field, this far from its rim, is writing when it is as much as a stroke of this length; both in
field heights."""

NOT_LEFT_OUT = "writing in it is joined to what is around it"
"""Why such a field is for review."""
