enum PlanningPlace {}
