extension Unicode.Scalar {
    /// A terminal, or a reader of a log, may obey it instead of showing it: C0, DEL and C1 (ECMA-48), line and paragraph separators, and
    /// the bidirectional embeddings, overrides and isolates (Unicode TR 9), which make text look like another.
    package var isTerminalControl: Bool {
        switch value {
        case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
