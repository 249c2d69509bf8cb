"""What the name of a series tells: a validation, a rate, and its direction.

Which way Keras takes a metric for mode="auto" is in `rules.keras.metric_directions`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LEARNING_RATE_NAMES",
    "PARTS_OF_CAMEL",
    "direction_options",
    "find_series",
    "is_rate_name",
    "is_share",
    "is_training",
    "is_validation",
    "metric_of",
    "of_last_set",
    "plain_direction",
    "suggest_monitor",
    "validation_metrics",
    "watch_options",
]

# Keras 3 logs "learning_rate", Keras 2 and tf_keras "lr"; both mean the rate
LEARNING_RATE_NAMES = ("learning_rate", "lr")
# splits letters from digits, and "learningRate" in two
_WORDS_OF_RATE = "[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+"
# words for whose rate it is: of a parameter group, an optimizer, a network
_WHOSE = frozenset(
    (
        *("x", "pg", "group", "groups", "param", "params", "parameter", "parameters"),
        # "event_lr" is skorch's
        *("train", "training", "trainer", "current", "epoch", "event"),
        *("optimizer", "optimizers", "optim", "opt"),
        *("adam", "adamw", "sgd", "rmsprop", "adagrad", "nadam", "lion"),
        *("g", "d", "generator", "discriminator", "backbone", "head"),
    )
)
_RATES = frozenset(("lr", "lrs", "learningrate", "learningrates"))
# LearningRateMonitor of Lightning names the optimizer behind it: "lr-Adam/pg1"
_RATE_OF_OPTIMIZER = r"lr-[A-Za-z]\w*(?:-[0-9]+)?(?:/pg[0-9]+)?"

_OF_VALIDATION = frozenset(
    (
        *("val", "valid", "validate", "validation", "test", "dev"),
        *("eval", "evaluate", "evaluation"),
    )
)
_OF_TRAINING = frozenset(("train", "training"))
_OF_DATA = _OF_VALIDATION | _OF_TRAINING
# what tools log beside the metrics of an evaluation: how long it took, and when
_OF_CLOCK = "(.*_)?(duration|minutes|ms|(run)?time|seconds?|secs?)|epochs?|steps?"
# YOLO's metrics, and those of Detectron2's evaluators, are measured on the validation
# set, whatever their names say
_OF_DETECTION = (
    r"metrics/(precision|recall|mAP50|mAP_0\.5|accuracy_top[15])(?![a-z0-9])"
    r"|(bbox|segm|keypoints)/AP|(sem|panoptic)_seg/"
)
# patterns stay text, compiled at their first use: most answers need none of them
# between the words of valLoss
PARTS_OF_CAMEL = r"(?<=[a-z0-9])(?=[A-Z])"
_LOSS = "loss|err|mae|mse|mape|nll|ppl|perplexity"
_SCORE = "acc|auc|f1|map|dice|iou|precision|recall"
# YOLO chooses its best weights by this series; none of its losses is the whole loss
_FITNESS = r"mAP50-95|mAP_0\.5:0\.95"


@functools.lru_cache(maxsize=4096)
def is_rate_name(name: str) -> bool:
    """Tell whether a column has the name of a learning rate.

    >>> all(map(is_rate_name, ["lr", "Learning_Rate", "lr/pg0", "x/lr0", "lr-Adam"]))
    True
    >>> any(map(is_rate_name, ["val_lr", "min_lr", "lr_loss", "lr-SGD-momentum"]))
    False
    """
    if name.startswith("lr-") and re.fullmatch(_RATE_OF_OPTIMIZER, name):
        return True
    words = [word.lower() for word in re.findall(_WORDS_OF_RATE, name)]
    said = [word for word in words if not word.isdigit() and word not in _WHOSE]
    return "".join(said) in _RATES


# many logs name the same series
@functools.lru_cache(maxsize=1024)
def is_validation(name: str) -> bool:
    """Tell whether a series was measured on held-out data, as far as its name tells.

    A name that tells nothing, as mean_iou, is taken for one of the training.

    >>> is_validation("val_loss"), is_validation("Eval/acc"), is_validation("value")
    (True, True, False)
    >>> is_validation("validate_loss"), is_validation("valLoss")
    (True, True)
    >>> is_validation("metrics/mAP50-95(B)"), is_validation("mean_iou")
    (True, False)
    >>> is_validation("bbox/AP-person"), is_validation("bbox/loss")
    (True, False)
    """
    if not any(part in name.lower() for part in _IN_JUDGED):
        return False
    parted = re.sub(PARTS_OF_CAMEL, "_", name).lower()
    told = not _OF_VALIDATION.isdisjoint(re.split("[^a-z]+", parted))
    return told or re.match(_OF_DETECTION, name) is not None


_IN_JUDGED = ("val", "test", "dev", "metrics/", "/ap", "_seg/")


def validation_metrics(available: Iterable[str]) -> list[str]:
    """Return the series that tell how good the model was on held-out data.

    >>> validation_metrics(["loss", "eval_f1", "eval_runtime", "eval/steps_per_second"])
    ['eval_f1']
    >>> validation_metrics(["val_epoch", "val_loss_epoch", "val_loss_step"])
    ['val_loss_epoch', 'val_loss_step']
    """
    return [
        name
        for name in available
        if is_validation(name) and not re.fullmatch(_OF_CLOCK, metric_of(name))
    ]


def is_training(name: str) -> bool:
    """Tell whether a name says that a series was measured on the training data.

    >>> is_training("train/loss"), is_training("loss"), is_training("train_val_loss")
    (True, False, False)
    """
    return not is_validation(name) and not _OF_TRAINING.isdisjoint(_words(name))


def metric_of(name: str) -> str:
    """Return a name without the words that tell on which data it was measured.

    >>> metric_of("val_loss"), metric_of("train/loss"), metric_of("validAcc")
    ('loss', 'loss', 'acc')
    """
    return "_".join(word for word in _words(name) if word not in _OF_DATA)


def find_series(
    metric: str, available: Iterable[str], *, validation: bool
) -> str | None:
    """Return the series of a metric on the training data or on held-out data.

    None where there is none, or where several are equally meant. Keras's own name
    comes first, and a test set, which is looked at last, comes after any other.

    >>> find_series("loss", ["train/loss", "dev/loss", "dev/f1"], validation=True)
    'dev/loss'
    >>> find_series("loss", ["loss", "test_loss", "val_loss"], validation=True)
    'val_loss'
    >>> find_series("acc", ["test_acc", "train_acc"], validation=False)
    'train_acc'
    """
    found = [
        name
        for name in available
        if is_validation(name) == validation and metric_of(name) == metric
    ]
    own = f"val_{metric}" if validation else metric
    if own in found:
        return own
    kept = [name for name in found if "test" not in name.lower()] or found
    return kept[0] if len(kept) == 1 else None


# metrics between 0 and 1 of which more is better, by the names that they have in Keras,
# TensorFlow Addons, TensorFlow Ranking, KerasHub, segmentation_models and scripts
_SHARES = """
    acc accuracy ap ap50 auc auc_pr auc_prc auc_roc auprc auroc dice dice_similarity dsc
    exact_match f1 f1score f2 f_beta fbeta fscore hit_rate hit_ratio io_u iou jacard
    jaccard jaccard_index ma_p map map50 miou mrr ndcg pr_auc prauc prc precision recall
    reciprocal_rank sensitivity specificity tnr tp_rate tpr true_positive_rate tversky
    tversky_index
"""
_UP = """
    bleu c_index chrf cider cindex concordance_index determination explained_variance
    kappa log_likelihood matthews_correlation mcc meteor pearson pearson_correlation
    pearsonr pearsons_correlation psnr qwk r2 r_square r_squared reward rouge rouge_l
    rsquared spearman spearman_correlation spearmanr spearmans_rank ssim
"""
_DOWN = """
    arp bce bits_per_dim bpd brier cer chamfer cross_entropy crossentropy deviance ece
    edit_distance eer err error error_rate false_negative_rate false_positive_rate fid
    fnr fpr hausdorff hausdorff_distance hinge huber inception_distance kid
    kl_divergence kld levenshtein levenshtein_distance logloss loss lpips mae mape mase
    misclassification misclassification_rate miss_rate mpjpe mse msle nll nmse
    perplexity ppl relevance_position rmse rmsle smape wape wer
"""
# words that may follow a metric's name without changing its direction; many name the
# functions that they write of it f1_m, and Lightning logs of both loss_step, loss_epoch
_AFTER = (
    r"\d*|at|avg|coef|coefficient|epoch|k|m|macro|mean|metric|micro|multilabel|score|"
    "step|weighted"
)
# words that reverse a direction, or stand for one of two networks that compete
_TURNED = """
    adv adversarial d disc discriminator domain drop gap inv inverse inverted minus neg
    negative not one
"""


def plain_direction(name: str) -> Literal["min", "max"] | None:
    """Return which way a name plainly says that it improves; None if it does not.

    >>> plain_direction("val_f1_score"), plain_direction("val_dice_loss")
    ('max', 'min')
    >>> plain_direction("Loss/train"), plain_direction("metrics/mAP50-95(B)")
    ('min', 'max')
    >>> plain_direction("val_loss_epoch"), plain_direction("val_acc_epoch")
    ('min', 'max')
    >>> plain_direction("neg_mse"), plain_direction("val_1-acc")
    (None, None)
    """
    if _is_turned(name):
        return None
    shares = _ends_in(name, _SHARES) or re.match(_OF_DETECTION, name)
    if shares or _ends_in(name, _UP):
        return "max"
    return "min" if _ends_in(name, _DOWN) else None


def direction_options(name: str, way: str = "mode") -> str:
    """Say how to give the direction of a series: that which its name tells, if any.

    >>> direction_options("val_ndcg"), direction_options("val_hits", "objective_mode")
    ("--mode max or mode='max'", '--objective-mode min|max or objective_mode=')
    """
    told = plain_direction(name)
    option = f"--{way.replace('_', '-')}"
    return (
        f"{option} {told} or {way}={told!r}" if told else f"{option} min|max or {way}="
    )


def is_share(name: str) -> bool:
    """Return whether a name plainly says that it lies between 0 and 1, the best.

    >>> is_share("val_AUC_1"), is_share("head_iou_score"), is_share("val_psnr")
    (True, True, False)
    """
    return _ends_in(name, _SHARES)


def _ends_in(name: str, metrics: str) -> bool:
    """Return whether the last words of a name are one of these metrics."""
    words = _words(name)
    while words and (words[-1] in _OF_DATA or re.fullmatch(_AFTER, words[-1])):
        words.pop()
    endings = {"_".join(words[-n_words:]) for n_words in (1, 2, 3)}
    return not endings.isdisjoint(metrics.split())


def _words(name: str) -> list[str]:
    parted = re.sub(PARTS_OF_CAMEL, "_", name).lower()
    return [word for word in re.split(r"[^a-z0-9]+", parted) if word]


def _is_turned(name: str) -> bool:
    words = _words(name.removeprefix("val_"))
    return "1" in words[:1] or not set(_TURNED.split()).isdisjoint(words)


def _spoken_direction(name: str) -> Literal["min", "max"] | None:
    """Return the direction of the metric that a name holds somewhere."""
    if _is_turned(name):
        return None
    if plain := plain_direction(name):
        return plain
    if re.search(_LOSS, name, re.IGNORECASE):
        return "min"
    return "max" if re.search(_SCORE, name, re.IGNORECASE) else None


def suggest_monitor(names: Iterable[str], option: str = "monitor") -> tuple[str, str]:
    """Suggest a series to watch and its direction: as options, and as arguments.

    Each text begins with the separator that appends it to a command or a call. Both are
    empty where no name tells the direction.

    >>> suggest_monitor(["train/loss", "val/loss"])
    (' --monitor val/loss --mode min', ", monitor='val/loss', mode='min'")
    >>> suggest_monitor(["validation_0/logloss", "validation_1/logloss"])[0]
    ' --monitor validation_1/logloss --mode min'
    >>> suggest_monitor(["val/box_loss", "metrics/mAP50(B)", "metrics/mAP50-95(B)"])[0]
    " --monitor 'metrics/mAP50-95(B)' --mode max"
    >>> suggest_monitor(["val_R2"])[0], suggest_monitor(["neg_mse"])[0]
    (' --monitor val_R2 --mode max', '')
    """
    listed = list(names)
    fitness = [name for name in listed if re.search(_FITNESS, name)]
    if fitness:
        return watch_options(fitness[0], "max", option)
    judged = [name for name in listed if is_validation(name)] or listed
    # none of several losses is left for an error beside them
    judged = sorted(of_last_set(judged), key=lambda name: "loss" not in name.lower())
    for mode in ("min", "max"):
        for name in judged:
            if _spoken_direction(name) == mode:
                return watch_options(name, mode, option)
    return "", ""


def watch_options(name: str, mode: str, option: str) -> tuple[str, str]:
    """Return the options that name a series and its direction, and the arguments."""
    import shlex

    way = "mode" if option == "monitor" else f"{option}_mode"
    return (
        f" --{option} {shlex.quote(name)} --{way.replace('_', '-')} {mode}",
        f", {option}={name!r}, {way}={mode!r}",
    )


def of_last_set(names: list[str]) -> list[str]:
    """Return the names of the last of XGBoost's data sets; all if there is none.

    Its own early stopping watches that one: people give their training data first.

    >>> of_last_set(["validation_0-auc", "validation_1-auc"]), of_last_set(["loss"])
    (['validation_1-auc'], ['loss'])
    """
    numbers = [re.match(_XGBOOST, name) for name in names]
    last = max((int(found[1]) for found in numbers if found), default=None)
    return [
        name
        for name, found in zip(names, numbers, strict=True)
        if last is None or (found and int(found[1]) == last)
    ]


# what XGBoost calls the data sets that have no names
_XGBOOST = r"validation_([0-9]{1,9})(?=\W)"
