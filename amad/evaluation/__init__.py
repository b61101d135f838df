from amad.evaluation.metrics import evaluate, point_adjust

__all__ = ["evaluate", "point_adjust"]
