import NIOCore
import Testing

@testable import Transport

@Suite struct PeerAddressTests {
    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.3.4", true), ("::1", true), ("128.0.0.1", false), ("10.0.0.1", false), ("0.0.0.0", false),
        ("::ffff:127.0.0.1", false), ("::", false), ("fe80::1", false),
    ])
    func onlyAddressesOfThisMachineAreLoopback(_ address: String, _ isLoopback: Bool) throws {
        #expect(PeerAddress.isLoopback(address) == isLoopback)
        #expect(PeerAddress.isLoopback(try SocketAddress(ipAddress: address, port: 25)) == isLoopback)
    }

    @Test func aNameProvesNothing() {
        for name in ["localhost", "127.0.0.1.example.com", "127.evil.example", ""] { #expect(!PeerAddress.isLoopback(name)) }
        #expect(!PeerAddress.isLoopback(nil))
    }
}
