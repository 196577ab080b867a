package import Text

/// Networks with names, of which an address has the name of the smallest that it lies in. Looking up is a binary search.
package struct NamedNetworks: Sendable, Equatable {
    /// Where a name begins to hold, in ascending order; it holds up to the next start.
    private var starts: [UInt128] = []
    /// The places in `names` of what holds from each start on.
    private var owners: [UInt16] = []
    /// The names; the first is the empty one, which holds where there is no network.
    private var names = [""]

    /// Networks at most: Apple publishes 290,000.
    package static let most = 1_000_000
    /// Names at most.
    package static let mostNames = 1000

    /// - Parameter networks: of two that are equal, the later one's name counts. Names beyond `mostNames` are dropped.
    package init(_ networks: [(network: IPNetwork, name: String)]) {
        var places = ["": UInt16(0)]
        for (_, name) in networks where places[name] == nil && names.count <= Self.mostNames {
            places[name] = UInt16(names.count)
            names.append(name)
        }
        // Networks contain one another or have nothing in common: in this order, whoever contains another comes before it.
        let order = networks.indices.sorted {
            let (left, right) = (networks[$0].network, networks[$1].network)
            return (left.first, ~left.last, $0) < (right.first, ~right.last, $1)
        }
        var open: [(last: UInt128, owner: UInt16)] = []
        for index in order {
            guard let owner = places[networks[index].name] else { continue }
            let network = networks[index].network
            while let inner = open.last, inner.last < network.first { close(&open) }
            begin(network.first, owner)
            open.append((network.last, owner))
        }
        while !open.isEmpty { close(&open) }
    }

    package var isEmpty: Bool { starts.isEmpty }

    /// The name of the smallest network that an address lies in (`IPAddress.number`); empty for none.
    package func name(of address: UInt128) -> String {
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? "" : names[Int(owners[low - 1])]
    }

    /// The innermost network ends: behind it, the one around it holds.
    private mutating func close(_ open: inout [(last: UInt128, owner: UInt16)]) {
        guard let inner = open.popLast(), inner.last < .max else { return }
        begin(inner.last + 1, open.last.map(\.owner) ?? 0)
    }

    private mutating func begin(_ start: UInt128, _ owner: UInt16) {
        if starts.last == start {
            owners[owners.count - 1] = owner
        } else {
            starts.append(start)
            owners.append(owner)
        }
    }
}
