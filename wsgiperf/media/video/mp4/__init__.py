"""MP4, MOV and M4V, plain and fragmented: ISO/IEC 14496-12."""
