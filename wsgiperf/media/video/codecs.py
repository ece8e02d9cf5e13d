"""One name for each codec, whatever a container calls it."""

from __future__ import annotations

__all__ = ["codec_name", "object_type_name"]

_NAMES = {
    # Sample entries: https://mp4ra.org/registered-types/sampleentries
    "avc1": "h264", "avc2": "h264", "avc3": "h264", "avc4": "h264", "dva1": "h264", "dvav": "h264",
    "hvc1": "hevc", "hev1": "hevc", "dvh1": "hevc", "dvhe": "hevc",
    "vvc1": "vvc", "vvi1": "vvc",
    "vp08": "vp8", "vp09": "vp9", "av01": "av1", "dav1": "av1",
    "mp4v": "mpeg4", "s263": "h263", "h263": "h263", "jpeg": "mjpeg", "mjpa": "mjpeg", "mjpb": "mjpeg",
    "apch": "prores", "apcn": "prores", "apcs": "prores", "apco": "prores",
    "ap4h": "prores", "ap4x": "prores",
    "mp4a": "aac", "opus": "opus", "flac": "flac", "fl32": "pcm", "fl64": "pcm", "alac": "alac",
    "ac-3": "ac3", "ec-3": "eac3", ".mp3": "mp3", "samr": "amr", "sawb": "amr-wb",
    "twos": "pcm", "sowt": "pcm", "lpcm": "pcm", "in24": "pcm", "in32": "pcm", "raw ": "pcm", "ipcm": "pcm",
    "fpcm": "pcm", "ulaw": "mulaw", "alaw": "alaw",
    # CodecID: https://www.matroska.org/technical/codec_specs.html
    "v_vp8": "vp8", "v_vp9": "vp9", "v_av1": "av1", "v_mpeg4/iso/avc": "h264", "v_mpegh/iso/hevc": "hevc",
    "v_mpegi/iso/vvc": "vvc", "v_mpeg4/iso/sp": "mpeg4", "v_mpeg4/iso/asp": "mpeg4", "v_mpeg1": "mpeg1",
    "v_mpeg2": "mpeg2", "v_theora": "theora", "v_mjpeg": "mjpeg", "v_prores": "prores",
    "a_opus": "opus", "a_vorbis": "vorbis", "a_aac": "aac", "a_flac": "flac", "a_mpeg/l3": "mp3",
    "a_mpeg/l2": "mp2", "a_ac3": "ac3", "a_eac3": "eac3", "a_alac": "alac", "a_pcm/int/lit": "pcm",
    "a_pcm/int/big": "pcm", "a_pcm/float/ieee": "pcm",
    # As people say
    "h.264": "h264", "avc": "h264", "h.265": "hevc", "h265": "hevc",
}  # fmt: skip

#: Object types of `mp4a` and `mp4v`: https://mp4ra.org/registered-types/object-types
_OBJECT_TYPES = {
    0x20: "mpeg4", 0x21: "h264", 0x23: "hevc", 0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac",
    0x69: "mp3", 0x6B: "mp3", 0x6A: "mpeg1", 0x6C: "mjpeg", 0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts",
    0xAD: "opus", 0xB1: "vp9", 0xDD: "vorbis",
} | dict.fromkeys(range(0x60, 0x66), "mpeg2")  # fmt: skip


def codec_name(name: str) -> str:
    """The codec's usual short name; for one that isn't known, the container's own in lower case.

    :param name: four characters of a sample entry, a Matroska CodecID, or a short name already.
    """
    lower = name.lower()
    known = _NAMES.get(lower)
    if known is None and lower.startswith("a_aac/"):  # old files have the profile in it
        return "aac"
    return known or lower.rstrip()


def object_type_name(number: int) -> str | None:
    """The codec's short name by MPEG-4's object type, or None: ISO/IEC 14496-1."""
    return _OBJECT_TYPES.get(number)
