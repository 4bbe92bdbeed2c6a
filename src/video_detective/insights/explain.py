"""Why an alert was not described, in words that somebody can act on."""

from __future__ import annotations

from collections.abc import Mapping

from video_detective.narration.catalogue import Language

_AGAIN: Mapping[Language, str] = {
    "en": "then run: video-detective narrate --backfill",
    "zh-TW": "再執行 video-detective narrate --backfill。",
}
_ENGLISH: Mapping[str, str] = {
    "timeout": "The model {model} on {server} did not answer in time. Look at the server's load,"
    " or raise timeout_s in the settings; {again}",
    "overloaded": "The model server {server} has too much to do. Lower its concurrency in the"
    " settings or wait; {again}",
    "server": "The model server {server} failed ({detail}). Look at its log; {again}",
    "refused": "The model {model} on {server} declined to describe the pictures, or the key is"
    " refused. Use another model, or check api_key_env in the settings.",
    "no_model": "The server {server} has no model {model}. Install it there, or name another one"
    " in the settings; {again}",
    "invalid": "The model {model} did not answer in the form asked for, not even when asked again."
    " Use a larger model.",
    "truncated": "The answer of the model {model} was cut off. Use a model with a larger context.",
    "empty": "The model {model} gave an empty answer. Use another model.",
    "crashes": "Describing this alert brought the program down again and again; it was given up."
    " Report it with the log.",
    "storage": "The pictures or the database could not be read ({detail}). Check the disk; {again}",
    "not_found": "The event of this alert is not there any more.",
    "other": "The alert could not be described ({detail}). Look at the log; {again}",
}
_CHINESE: Mapping[str, str] = {
    "timeout": "伺服器「{server}」上的模型「{model}」沒有在時限內回答。"
    "請檢查伺服器負載，或調高設定中的 timeout_s，{again}",
    "overloaded": "模型伺服器「{server}」過於忙碌。請稍候，或調低設定中的 concurrency，{again}",
    "server": "模型伺服器「{server}」發生錯誤（{detail}）。請查看伺服器紀錄，{again}",
    "refused": "模型「{model}」拒絕描述畫面，或伺服器「{server}」不接受金鑰。"
    "請改用其他模型，或檢查設定中的 api_key_env。",
    "no_model": "伺服器「{server}」沒有模型「{model}」。"
    "請在伺服器上安裝，或在設定中改用其他模型，{again}",
    "invalid": "模型「{model}」沒有照要求的格式回答，再次要求也沒有改善。請改用較大的模型。",
    "truncated": "模型「{model}」的回答不完整。請改用上下文較長的模型。",
    "empty": "模型「{model}」沒有回答內容。請改用其他模型。",
    "crashes": "描述這則警示時程式一再中斷，已放棄。請附上紀錄回報問題。",
    "storage": "無法讀取畫面或資料庫（{detail}）。請檢查磁碟，{again}",
    "not_found": "這則警示的事件已不存在。",
    "other": "無法描述這則警示（{detail}）。請查看紀錄，{again}",
}


def explain(reason: str, detail: str, language: Language, *, server: str, model: str) -> str:
    """One or two sentences.

    Args:
        reason: As of ``ModelError``, or one of the worker's own.
        detail: What was said, in English.
        language: Of the account.
        server: The model server, as the settings call it.
        model: The model, as the settings call it.
    """
    words = _CHINESE if language == "zh-TW" else _ENGLISH
    said = words.get(reason, words["other"])
    again = _AGAIN[language]
    return said.format(server=server, model=model, detail=detail.rstrip("."), again=again)
