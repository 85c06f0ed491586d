"""Pure functions on pictures, shared by the stages: paper and ink, rules, geometry. They know no pages or templates."""
