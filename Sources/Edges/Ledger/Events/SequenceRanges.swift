import Model

/// The numbers of a source's events that are counted. A source is one life of a tracker in one stream. Several collectors may read that
/// stream, and a tracker sends again what was not answered: batches come in any order, and each number counts once. A pure value.
struct SequenceRanges: Equatable {
    /// In their order; between two of them numbers are missing.
    private(set) var ranges: [Range<UInt64>] = []

    /// More ranges than these are not kept: the oldest gap counts as counted then, as what is missing there was lost long ago.
    static let most = 200

    init() {}

    /// Takes numbers.
    /// - Returns: those of them that were not there, in their order.
    mutating func take(_ new: Range<UInt64>) -> [Range<UInt64>] {
        guard !new.isEmpty else { return [] }
        var fresh: [Range<UInt64>] = []
        var kept: [Range<UInt64>] = []
        var merged = new
        var place = new.lowerBound
        for range in ranges {
            // Ranges that touch become one.
            guard range.upperBound >= new.lowerBound, range.lowerBound <= new.upperBound else {
                kept.append(range)
                continue
            }
            if range.lowerBound > place { fresh.append(place..<min(range.lowerBound, new.upperBound)) }
            place = max(place, range.upperBound)
            merged = min(merged.lowerBound, range.lowerBound)..<max(merged.upperBound, range.upperBound)
        }
        if place < new.upperBound { fresh.append(place..<new.upperBound) }
        kept.insert(merged, at: kept.firstIndex { $0.lowerBound > merged.lowerBound } ?? kept.count)
        while kept.count > Self.most { kept.replaceSubrange(0...1, with: [kept[0].lowerBound..<kept[1].upperBound]) }
        ranges = kept
        return fresh
    }

    /// As `0-500 700-900`, each up to and without its second number.
    var text: String { ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: " ") }

    /// - Throws: `SQLDamage` for what no ledger writes.
    init(text: String) throws {
        for part in text.split(separator: " ") {
            let ends = part.split(separator: "-").compactMap { UInt64($0) }
            guard ends.count == 2, ends[0] < ends[1], ends[0] > ranges.last?.upperBound ?? 0 || ranges.isEmpty else {
                throw SQLDamage("'\(part.prefix(40))' is no range of counted events")
            }
            ranges.append(ends[0]..<ends[1])
        }
    }
}
