import Foundation
import TestServers
import Testing

@testable import Model

/// Nothing that a decoder is given ends the process: a trap would end this run. What it accepts can be worked with.
@Suite struct WireFuzzTests {
    private static let results: [UInt8] = Array(
        """
        [[0,"s",1,0,250,"2.0.0 Ok: queued as A","A"],[1,"d",2,17,451,"4.7.1 later","","temporary","rcpt",60000],\
        [499,"f",5,9000,550,"5.1.1 unknown \\u00fc \\ud83c\\udf88","","bad_recipient","rcpt",0],\
        [7,"u",1,5,0,"lost","","unreachable","body",1]]
        """.utf8)
    private static let events = Array(#"[[0,1,"opened",1700000000000,""],[3,499,"clicked",1700000000001,"https://example.com/?a=1"]]"#.utf8)
    private static let open = Array("[[0,0],[3,1],[499,4]]".utf8)
    private static let recipients = Array(#"[["1","a@example.com","Zo\u00eb"],["2","b@example.com","\"x\""]]"#.utf8)
    private static let bases: [Int64] = [0, 1, -1, 1_700_000_000_000, .max, .min, 1 << 53, -(1 << 53)]

    @Test(arguments: 0..<20 as Range<UInt64>)
    func noBytesEndTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1_000 {
            let isNoise = Int.random(in: 0..<8, using: &random) == 0
            func spoilt(_ bytes: [UInt8]) -> [UInt8] {
                isNoise ? Mutation.noise(using: &random) : Mutation.spoil(bytes, using: &random)
            }
            let base = Self.bases.randomElement(using: &random) ?? 0
            let (results, _) = [RecipientResult].readable(in: spoilt(Self.results), base: base)
            // The ledger keeps them relative to the earliest.
            _ = results.encoded(base: results.map(\.at).min() ?? 0)
            #expect(results.allSatisfy { WireLimit.time.contains($0.at) && WireLimit.time.contains($0.due) && $0.index >= 0 })
            #expect([RecipientEvent].readable(in: spoilt(Self.events)).events.allSatisfy { $0.batch >= 0 && $0.index >= 0 && $0.at >= 0 })
            if let open = try? [OpenRecipient](decoding: spoilt(Self.open)) {
                #expect(zip(open, open.dropFirst()).allSatisfy { $0.index < $1.index })
            }
            let width = Int.random(in: -1...4, using: &random)
            if let recipients = try? Recipients(decoding: spoilt(Self.recipients), width: width) { _ = recipients.encoded() }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func noDefinitionOrHeartbeatEndsTheProcess(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var heartbeat = Heartbeat(role: .worker, version: "1", host: "h", process: 7, started: 1_700_000_000_000, cpu: 1.5, memory: 4096)
        heartbeat.mailings["m"] = Heartbeat.Share(waiting: 5, scope: .provider("p"), interval: 0.5, pause: 2, isDown: false)
        let heartbeats = try [UInt8](JSONEncoder().encode(heartbeat))
        var mailing = Mailing(name: "m", channel: .email, provider: "p")
        mailing.speed = "5/s"
        mailing.maximumDelay = 60
        let mailings = try [UInt8](JSONEncoder().encode(mailing))
        for _ in 0..<1_000 {
            let decoder = JSONDecoder()
            if let read = try? decoder.decode(Heartbeat.self, from: Data(Mutation.spoil(heartbeats, using: &random))),
                (try? read.check()) != nil
            {
                #expect(read.mailings.values.allSatisfy { $0.waiting >= 0 && $0.pause.isFinite })
            }
            if let read = try? decoder.decode(Mailing.self, from: Data(Mutation.spoil(mailings, using: &random))),
                (try? read.check()) != nil
            {
                #expect(read.batchSize > 0 && Int64(read.lifetime * 1000) >= 0)
            }
        }
    }

    /// A newer worker may have classes that this release lacks.
    @Test func theReadableResultsOfAGroupAreTaken() {
        let wire = Array(
            """
            [[0,"s",1,0,250,"Ok",""],[1,"d",1,0,451,"4.7.1 later","","rate","somewhere",60000],[2,"q",1,0,250,"Ok",""],\
            [3,"s",1,0,250,"Ok","","x"],[-4,"s",1,0,250,"Ok",""],[5,"s",1,0,250,"Ok",""]]
            """.utf8)
        let (results, problem) = [RecipientResult].readable(in: wire, base: 1_000)
        #expect(results.map(\.index) == [0, 5] && problem == WireError("unknown stage 'somewhere'"))
        // What is cut off gives what stands before the cut.
        let (some, cut) = [RecipientResult].readable(in: Array(wire.prefix(40)), base: 1_000)
        #expect(some.map(\.index) == [0] && cut != nil)
    }

    @Test(arguments: [
        #"[[0,"s",1,9223372036854775807,250,"",""]]"#, #"[[0,"s",9223372036854775807,0,250,"",""]]"#, #"[[-1,"s",1,0,250,"",""]]"#,
        #"[[0,"s",1,-1001,250,"",""]]"#, #"[[0,"d",1,0,-1,"","","","",0]]"#, #"[[0,"d",1,0,250,"","","temporary","rcpt",-5]]"#,
    ])
    func numbersThatCannotBeAreRefused(wire: String) {
        #expect(throws: WireError.self) { try [RecipientResult](decoding: Array(wire.utf8), base: 1_000) }
    }
}
