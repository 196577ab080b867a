import Model
import Testing
import Text

@testable import Policy

@Suite struct NamedNetworksTests {
    @Test func theSmallestNetworkNamesAnAddress() throws {
        let networks = try NamedNetworks([
            (#require(IPNetwork("10.0.0.0/8")), "house"), (#require(IPNetwork("10.1.0.0/16")), "floor"),
            (#require(IPNetwork("10.1.2.3")), "printer"), (#require(IPNetwork("2001:db8::/32")), "six"),
        ])
        func name(_ text: String) -> String { networks.name(of: IPAddress.number(Array(text.utf8)) ?? 0) }
        #expect(
            ["9.255.255.255", "10.0.0.0", "10.1.0.0", "10.1.2.3", "10.1.2.4", "10.2.0.0", "11.0.0.0"].map(name) == [
                "", "house", "floor", "printer", "floor", "house", "",
            ])
        #expect(name("2001:db8::5") == "six" && name("2001:db9::") == "")
        #expect(NamedNetworks([]).name(of: 5) == "")
    }

    /// Beside a search through all of them.
    @Test(arguments: 0..<40 as Range<UInt64>) func lookingUpIsWhatASearchFinds(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let networks = (0..<60).compactMap { number -> (network: IPNetwork, name: String)? in
            let length = Int.random(in: 0...32, using: &random)
            let bytes = (0..<4).map { _ in UInt8.random(in: 0...3, using: &random) * 85 }
            return IPNetwork("\(bytes.map(String.init).joined(separator: "."))/\(length)").map { ($0, "n\(number)") }
        }
        let named = NamedNetworks(networks)
        for _ in 0..<500 {
            let edge = networks.randomElement(using: &random).map { Bool.random(using: &random) ? $0.network.first : $0.network.last } ?? 0
            let address = edge &+ UInt128(Int.random(in: 0...2, using: &random)) &- 1
            let expected = networks.filter { $0.network.contains(address) }.min { left, right in
                let (a, b) = (left.network.last - left.network.first, right.network.last - right.network.first)
                // Of equal ones the last counts.
                return a < b || a == b && networks.lastIndex { $0 == left } ?? 0 > networks.lastIndex { $0 == right } ?? 0
            }
            #expect(named.name(of: address) == expected?.name ?? "")
        }
    }
}
