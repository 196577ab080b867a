import Model

/// What is kept of a row that is excluded.
extension RecipientPlanner {
    func exclude(_ reason: ExclusionReason, _ detail: String) -> Exclusion {
        Exclusion(
            row: rows, reason: reason, id: idColumn.map(shown) ?? String(rows), address: shown(addressColumn), detail: detail)
    }

    /// What an exclusion shows of a column; nothing where a broken row lacks it.
    private func shown(_ column: Int) -> String {
        row.ranges.indices.contains(column) && row.ranges[column].upperBound <= row.bytes.count ? shortened(row.ranges[column]) : ""
    }

    /// What an exclusion shows of a value: at most 320 bytes, so that nonsense in the file does not fill the ledger.
    private func shortened(_ range: Range<Int>) -> String {
        guard range.count > 320 else { return String(decoding: row.bytes[range], as: UTF8.self) }
        var end = range.lowerBound + 317
        while end > range.lowerBound, row.bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return String(decoding: row.bytes[range.lowerBound..<end], as: UTF8.self) + "…"
    }
}
