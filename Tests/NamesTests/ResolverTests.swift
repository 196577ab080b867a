import Authentication
import Foundation
import Names
import TestServers
import Testing

extension NameServer {
    fileprivate func resolver() throws -> Resolver { try Resolver(server: address, timeout: .seconds(5), total: .seconds(20)) }
}

@Suite struct ResolverTests {
    private static let zone = """
        www IN CNAME host
        host IN A 192.0.2.1
        host IN AAAA 2001:db8::1
        @ IN MX 10 mx
        @ IN TXT "v=spf1 " "ip4:192.0.2.1 -all"
        a IN CNAME b
        b IN CNAME a
        esc IN TXT "v=spf1 \\027[2J -all"
        long IN TXT \((0..<60).map { _ in "\"" + String(repeating: "x", count: 250) + "\"" }.joined(separator: " "))
        loop IN TXT "v=spf1 include:loop.example.net -all"
        null IN MX 0 .
        """

    @Test("Records of each kind are read")
    func kinds() async throws {
        let server = try await NameServer(zone: Self.zone)
        let resolver = try server.resolver()
        #expect(await resolver.answer("www.example.net", .address4) == .records(["192.0.2.1"]))
        #expect(await resolver.answer("www.example.net", .alias) == .records(["host.example.net"]))
        #expect(await resolver.answer("HOST.example.net.", .address6) == .records(["2001:db8::1"]))
        #expect(await resolver.answer("example.net", .mailExchanger) == .records(["10 mx.example.net"]))
        #expect(await resolver.answer("null.example.net", .mailExchanger) == .records(["0 "]))
        #expect(await resolver.answer("example.net", .text) == .records(["v=spf1 ip4:192.0.2.1 -all"]))
        #expect(await resolver.answer("host.example.net", .text) == .none)
        #expect(await resolver.answer("missing.example.net", .address4) == .none)
        #expect(await resolver.answer("a..example.net", .address4) == .none)
    }

    @Test("Aliases that lead in a circle, and a zone that the server lacks, end in an error")
    func errors() async throws {
        let server = try await NameServer(zone: Self.zone)
        let resolver = try server.resolver()
        for name in ["a.example.net", "example.org"] {
            guard case .failed = await resolver.answer(name, .address4) else {
                Issue.record("\(name) has an answer")
                continue
            }
        }
        var check = SPFCheck(resolver, address: SenderAddress("192.0.2.1"), sender: "p@loop.example.net", helo: "h")
        let result = await check.run("loop.example.net")
        #expect(result == .permanentError)
    }

    @Test("A text is cut where it is too long, and controls reach the parser as they are")
    func content() async throws {
        let server = try await NameServer(zone: Self.zone)
        let resolver = try server.resolver()
        #expect(await resolver.answer("long.example.net", .text).records.first?.utf8.count == 8192)
        #expect(await resolver.answer("esc.example.net", .text) == .records(["v=spf1 \u{1B}[2J -all"]))
    }

    @Test("A server that never answers costs the time of one question, for all of them together")
    func silence() async throws {
        // Bound, and never read.
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0 }
        }
        #expect(isBound)
        let resolver = try Resolver(
            server: "127.0.0.1:\(UInt16(bigEndian: place.sin_port))", timeout: .milliseconds(300), total: .seconds(2))
        let begin = ContinuousClock.now
        let answers = await withTaskGroup(of: NameAnswer.self) { group in
            for number in 0..<50 { group.addTask { await resolver.answer("n\(number).example.net", .text) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { if case .failed = $0 { true } else { false } })
        #expect(ContinuousClock.now - begin < .seconds(5))
    }

    @Test("What is no server is refused", arguments: ["", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.0/8", "127.0.0.1:99999"])
    func servers(text: String) {
        #expect(throws: ResolverError.self) { try Resolver(server: text, timeout: .seconds(1), total: .seconds(1)) }
    }
}
