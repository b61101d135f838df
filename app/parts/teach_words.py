"""What the chapters of Teach say: one idea, three sentences, formulas of docs/method.md, a question with its answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One chapter in words. `formulas`: as docs/method.md writes it (a test looks), and the same in LaTeX."""

    number: int
    short: str
    title: str
    sentences: tuple[str, str, str]
    formulas: tuple[tuple[str, str], ...]
    question: str
    answer: str

    @property
    def name(self) -> str:
        """How the row of chapters calls it: "4 Mask"."""
        return f"{self.number} {self.short}"


WINDOW = Words(
    1,
    "Window",
    "A window and its reconstruction",
    (
        "AMAD looks at a series through windows of a fixed number of steps.",
        "From each window it makes a reconstruction: what it expects, having learned from normal rows.",
        "Where the reconstruction fails, the squared error is large, and the score rises.",
    ),
    (("e_c(t)", r"e_c(t) = \left(x_c(t) - \hat{x}_c(t)\right)^2"),),
    "Would a model that reconstructs everything perfectly be the best detector?",
    "No, it would be the worst: nothing would be left over where something is wrong. A detector needs a model that can "
    "reconstruct what is usual and nothing else.",
)
ATTENTION = Words(
    2,
    "Attention",
    "Self-attention on a rhythm",
    (
        "Each step (the query) is compared with every step (the keys).",
        "A softmax turns the likeness into weights that sum to 1: one row of the map G.",
        "In a signal with a rhythm, a step looks at the steps whole periods away, because they look alike.",
    ),
    (
        ("S_glob = Q K^T / sqrt(d_h)", r"S_{glob} = Q K^{\top} / \sqrt{d_h}"),
        ("G = softmax(S_glob)", r"G = \mathrm{softmax}(S_{glob})"),
    ),
    "Raise the noise. Why do the stripes fade?",
    "Noise makes steps of the same phase less alike. Their logits fall towards those of all other steps, and the softmax "
    "spreads the weight more evenly.",
)
ROTARY = Words(
    3,
    "Rotation",
    "Rotary embedding: one frequency",
    (
        "Turn every query and every key by an angle that grows with its step, t times omega.",
        "Their product then depends on the lag alone: it is multiplied by the cosine of omega times lag.",
        "A single frequency so favours lags of whole periods, whatever the signal does.",
    ),
    (
        ("S_loc = sum_f a_f (R_f Q)(R_f K)^T / sqrt(d_h)", r"S_{loc} = \sum_f a_f (R_f Q)(R_f K)^{\top} / \sqrt{d_h}"),
        ("exp(i (t omega_f - s omega_g))", r"\mathrm{Re}\, e^{i (t - s)\, \omega} = \cos\left((t - s)\, \omega\right)"),
    ),
    "What does a period far longer than the window do?",
    "Its cosine hardly falls within the window: all lags are treated almost alike, so the mask changes next to nothing.",
)
MASK = Words(
    4,
    "Mask",
    "AutoMask: frequencies add up",
    (
        "A head turns queries and keys by several frequencies at once and adds up the copies, each with a weight.",
        "That is a Fourier series: with enough terms it takes any shape over the lag, also one that looks only near.",
        "AMAD learns frequencies, phases and weights; here you set them, and P follows.",
    ),
    (
        (
            "mu_j(t) = sum_f a_f exp(i (t omega_fj + phi_fj))",
            r"\mu_j(t) = \sum_f a_f\, e^{i (t\, \omega_{fj} + \varphi_{fj})}",
        ),
        ("q~_j(t) = q_j(t) mu_j(t)", r"\tilde{q}_j(t) = q_j(t)\, \mu_j(t)"),
        ("sum_f a_f^2 = 1", r"\textstyle\sum_f a_f^2 = 1"),
        ("P = softmax(S_loc)", r"P = \mathrm{softmax}(S_{loc})"),
    ),
    "Which terms make a mask that looks only at near steps?",
    "Several terms of different periods with like weights. At lag 0 all cosines agree; farther away they fall out of step "
    "and cancel. The more terms, the longer it takes until they meet again.",
)
GAME = Words(
    5,
    "Game",
    "Two attentions and the Max-Min game",
    (
        "P and G say where the same step looks; the anchor M is the mean of both, and KL, the coloured area, is how far each lies from it.",
        "A min step moves AutoMask's parameters, and P leaves the anchor; a max step moves W_Q and W_K, and G comes back to it.",
        "The mean of both divergences is CAD, the Jensen-Shannon divergence: 0 for equal maps, ln 2 at most.",
    ),
    (
        ("D_loc = KL(P || M)", r"D_{loc} = \mathrm{KL}(P \,\|\, M)"),
        ("D_glob = KL(G || M)", r"D_{glob} = \mathrm{KL}(G \,\|\, M)"),
        ("CAD = JS(P, G) = (D_loc + D_glob) / 2", r"\mathrm{CAD} = (D_{loc} + D_{glob}) / 2"),
        ("L_min = -mean KL(P || sg(M))", r"L_{min} = -\,\overline{\mathrm{KL}}(P \,\|\, \mathrm{sg}(M))"),
        ("L_max = +mean KL(G || sg(M))", r"L_{max} = +\,\overline{\mathrm{KL}}(G \,\|\, \mathrm{sg}(M))"),
    ),
    "Play min steps, then max steps. Why do both curves rise and fall together?",
    "Both are measured to the mean M. When P moves away, M goes half the way with it, and G is left about as far from M on "
    "the other side. So read the game from CAD, not from one of the two.",
)
CONTRAST = Words(
    6,
    "Contrast",
    "Contrast: which steps stay recognisable",
    (
        "Each step has two views: what P gathers for it, and what G gathers.",
        "The contrast asks every local view to find its own global view among those of all other steps.",
        "Steps of a rhythm have doubles one period away; a step that has none stays recognisable.",
    ),
    (("z_loc = P V", r"z_{loc} = P\, V"), ("z_glob = G V", r"z_{glob} = G\, V")),
    "In a clean rhythm of 16 steps, how surely can a step be recognised at best?",
    "The window of 96 steps holds six periods, so each step has five doubles: its own partner cannot get much more than a "
    "sixth of the probability, but for steps near the ends of the window.",
)
INJECT = Words(
    7,
    "Inject",
    "Make an anomaly, and see what reacts",
    (
        "Brush rows of a real river and choose what goes wrong there.",
        "The bundled run scores the changed rows: score, reconstruction, shares and maps are its own.",
        "What stays under the threshold is missed, and the table names it.",
    ),
    (("sqrt(R^2 + (.7 min(S, 10))^2)", r"\mathrm{score} \sim \sqrt{R^2 + (0.7 \min(S, 10))^2}"),),
    "Why is a broken relation so much harder than a spike?",
    "The mirrored stretch keeps the range and the rhythm of its channel; only its relation to the others is wrong. What it "
    "leaves over is about as large as what unusual but normal days leave over.",
)
TRAIN = Words(
    8,
    "Train",
    "The real model, trained now",
    (
        "AMAD trains on the first part of these rows in a process of its own: reconstruction, game and contrast together.",
        "The preset quick learns them within a minute on two CPU cores.",
        "Then it scores all rows, those with the anomaly of chapter 7 too, and every page of the app can open it.",
    ),
    (
        (
            "Loss = MSE + k_min L_min + k_max L_max + beta L_con",
            r"\mathrm{Loss} = \mathrm{MSE} + k_{min} L_{min} + k_{max} L_{max} + \beta L_{con}",
        ),
    ),
    "The score is high at your anomaly. What else must be looked at before the run is trusted?",
    "Whether it stays low on normal rows that were not in training, and whether it finds other anomalies that are known. One "
    "hit proves little.",
)
CHAPTERS = (WINDOW, ATTENTION, ROTARY, MASK, GAME, CONTRAST, INJECT, TRAIN)
