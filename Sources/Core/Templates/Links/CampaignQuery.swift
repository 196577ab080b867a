import Model
import Text

/// The campaign parameters of a mailing, as they go into the query of a link's target.
struct CampaignQuery: Sendable {
    /// `utm_source=news&utm_medium=email`; empty for none.
    private let query: [UInt8]

    /// - Parameter values: by `CampaignParameter`'s names; others are passed over.
    init(_ values: [String: String]) {
        let pairs = CampaignParameter.allCases.compactMap { parameter in
            values[parameter.rawValue].map { "\(parameter.name)=\(PercentEncoding.encode($0, allowing: PercentEncoding.isUnreserved))" }
        }
        query = Array(pairs.joined(separator: "&").utf8)
    }

    /// The most bytes that a target grows by.
    var count: Int { query.isEmpty ? 0 : query.count + 1 }

    /// Adds the parameters to a URL's query, before its fragment. One that has a campaign parameter of its own is left alone: parameters of
    /// two campaigns would be counted as a third.
    func add(to target: inout [UInt8]) {
        guard !query.isEmpty else { return }
        let end = target.firstIndex(of: UInt8(ascii: "#")) ?? target.endIndex
        guard let mark = target[..<end].firstIndex(of: UInt8(ascii: "?")) else {
            return target.insert(contentsOf: [UInt8(ascii: "?")] + query, at: end)
        }
        let own = target[(mark + 1)..<end]
        let isMarked = own.split(separator: UInt8(ascii: "&")).contains { $0.starts(with: "utm_".utf8) }
        guard !isMarked else { return }
        let joint = own.isEmpty || own.last == UInt8(ascii: "&") ? [] : [UInt8(ascii: "&")]
        target.insert(contentsOf: joint + query, at: end)
    }
}
