import Foundation
import Model
import Signing
import TestServers
import Testing

@testable import Tracking

/// What strangers send to a real server.
@Suite(.timeLimit(.minutes(5))) struct TrackerServerTests {
    /// One request on a connection of its own, up to its end.
    private func ask(_ port: Int, _ head: String, _ body: String = "") async throws -> (status: Int, text: String) {
        let client = try RawClient(port)
        try await client.send(head + "\r\nHost: localhost\r\nConnection: close\r\n\r\n" + body)
        let text = try await client.receive().text
        return (Int(text.dropFirst(9).prefix(3)) ?? 0, text)
    }

    @Test func visitsAreAnsweredAndTold() async throws {
        let test = try await TestTracker()
        try await test.serving { port in
            let pixel = try await ask(port, "GET \(test.path("o", .open)) HTTP/1.1\r\nUser-Agent: Mail/1")
            #expect(pixel.status == 200 && pixel.text.contains("Content-Length: 43") && pixel.text.contains("GIF89a"))
            let click = try await ask(port, "GET \(test.click("https://shop.example/a?b=1")) HTTP/1.1")
            #expect(click.status == 302 && click.text.contains("\r\nLocation: https://shop.example/a?b=1\r\n"))
            let head = try await ask(port, "HEAD \(test.path("o", .open)) HTTP/1.1")
            #expect(head.status == 200 && head.text.contains("Content-Length: 43") && head.text.hasSuffix("\r\n\r\n"))
            let events = try await test.arrived(3)
            #expect(events.map(\.action) == [.open, .click, .open] && events.map(\.method) == [.get, .get, .head])
            #expect(events[0].agent == "Mail/1" && events.allSatisfy { $0.visitor != 0 && $0.address.isEmpty })
        }
    }

    /// RFC 8058: a form or multipart body, without cookies.
    @Test func onePostUnsubscribesInAnyForm() async throws {
        let test = try await TestTracker()
        try await test.serving { port in
            let path = try test.path("u", .unsubscribe)
            let form = "List-Unsubscribe=One-Click"
            let parts = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
            let bodies = [
                ("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)", form),
                ("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: \(parts.utf8.count)", parts),
                ("Transfer-Encoding: chunked", "1a\r\n\(form)\r\n0\r\n\r\n"), ("Content-Length: 0", ""), ("User-Agent: SomeScanner/1", ""),
            ]
            for (fields, body) in bodies {
                let answer = try await ask(port, "POST \(path) HTTP/1.1\r\n\(fields)", body)
                #expect(answer.status == 200 && !answer.text.contains("Location:") && !answer.text.contains("Set-Cookie"), "\(fields)")
            }
            for method in ["GET", "HEAD"] { #expect(try await ask(port, "\(method) \(path) HTTP/1.1").status == 200) }
            let events = try await test.arrived(bodies.count)
            #expect(events.count == bodies.count && events.allSatisfy { $0.action == .unsubscribe && $0.method == .post })
        }
    }

    /// Memory and spool are full: nobody is told that they are unsubscribed who is not, and pictures and redirects work as ever.
    @Test func aChoiceThatCannotBeKeptIsRefused() async throws {
        var test = try await TestTracker()
        test.bounds.events = 0
        try await test.serving { port in
            let answers = [
                try await ask(port, "POST \(test.path("u", .unsubscribe)) HTTP/1.1\r\nContent-Length: 0"),
                try await ask(port, "POST \(test.path("p", .preferences)) HTTP/1.1\r\nContent-Length: 0"),
                try await ask(port, "POST \(test.path("p", .preferences))?again HTTP/1.1\r\nContent-Length: 0"),
            ]
            for answer in answers {
                #expect(answer.status == 503 && answer.text.contains("\r\nRetry-After: 60\r\n") && answer.text.contains("<form"))
            }
            let pixel = try await ask(port, "GET \(test.path("o", .open)) HTTP/1.1")
            let click = try await ask(port, "GET \(test.click("https://shop.example/")) HTTP/1.1")
            #expect(pixel.status == 200 && click.status == 302)
        }
    }

    /// RFC 9110 section 10.1.1: some wait for 100 before they send the body.
    @Test func aPostThatAsksBeforeItsBodyIsToldToGoOn() async throws {
        let test = try await TestTracker()
        let path = try test.path("u", .unsubscribe)
        let form = "List-Unsubscribe=One-Click"
        let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: "
        try await test.serving { port in
            let client = try RawClient(port)
            for round in 1...2 {
                // The second one is sent before the answer to another request.
                if round == 2 { try await client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n") }
                try await client.send("\(head)\(form.utf8.count)\r\n\r\n")
                let asked = try await client.receive { $0.hasSuffix("HTTP/1.1 100 Continue\r\n\r\n") }
                #expect(!asked.isClosed && asked.text.hasPrefix(round == 1 ? "HTTP/1.1 100" : "HTTP/1.1 200"))
                try await client.send(form)
                let answer = try await client.receive { $0.contains("</html>") }
                #expect(answer.text.hasPrefix("HTTP/1.1 200") && answer.text.contains("You are unsubscribed"))
            }
            // Nobody is asked for a body that is too long, and who has none to send does not wait.
            let long = try RawClient(port)
            try await long.send("\(head)20000\r\n\r\n")
            #expect(try await long.receive().text.hasPrefix("HTTP/1.1 413"))
            let empty = try RawClient(port)
            try await empty.send("\(head)0\r\nConnection: close\r\n\r\n")
            #expect(try await empty.receive().text.hasPrefix("HTTP/1.1 200"))
            #expect(try await test.arrived(3).count == 3)
        }
    }

    @Test func whatIsTooLongIsRefusedAndMakesNoEvent() async throws {
        let test = try await TestTracker()
        let (open, unsubscribe) = (try test.path("o", .open), try test.path("u", .unsubscribe))
        try await test.serving { port in
            let long = String(repeating: "a", count: 64 << 10)
            #expect(try await ask(port, "GET \(open)?\(long) HTTP/1.1").status == 400)
            #expect(try await ask(port, "GET \(open) HTTP/1.1\r\nX-Long: \(long)").status == 400)
            let many = (0..<200).map { "X-\($0): 1" }.joined(separator: "\r\n")
            #expect(try await ask(port, "GET \(open) HTTP/1.1\r\n\(many)").status == 400)
            let large = String(repeating: "b", count: 10 << 20)
            let known = try await ask(port, "POST \(unsubscribe) HTTP/1.1\r\nContent-Length: \(large.utf8.count)", large)
            #expect(known.status == 413 && known.text.contains("Connection: close"))
            let chunks = "a00000\r\n\(large)\r\n0\r\n\r\n"
            #expect(try await ask(port, "POST \(unsubscribe) HTTP/1.1\r\nTransfer-Encoding: chunked", chunks).status == 413)
            #expect(try await ask(port, "POST \(unsubscribe) HTTP/1.1\r\nContent-Length: 99999999999999999999").status >= 400)
            // The longest link that a message can have is taken.
            let target = "https://shop.example/" + String(repeating: "x", count: 4075)
            let link = try test.click(target)
            #expect(try await ask(port, "GET \(link) HTTP/1.1").status == 302)
            #expect(try await test.arrived().map(\.action) == [.click])
        }
    }

    @Test func whatIsNoHTTPEndsOnlyItsConnection() async throws {
        let test = try await TestTracker()
        let unsubscribe = try test.path("u", .unsubscribe)
        try await test.serving { port in
            for noise in [
                "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n\r\nX",
                "POST /u/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            ] {
                let client = try RawClient(port)
                try await client.send(noise)
                client.endSending()
                #expect(try await client.receive().isClosed)
            }
            for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"] {
                #expect(try await ask(port, "\(method) \(unsubscribe) HTTP/1.1").status >= 400)
            }
            #expect(try await ask(port, "GET /health HTTP/1.1").status == 200)
        }
    }

    @Test func requestsOfOneConnectionAreAnsweredInOrder() async throws {
        let test = try await TestTracker()
        try await test.serving { port in
            let client = try RawClient(port)
            let get = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            let post = "POST \(try test.path("u", .unsubscribe)) HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b"
            try await client.send(get + post + get + get)
            let (text, isClosed) = try await client.receive { $0.matches(of: /HTTP\/1.1 200/).count == 4 }
            #expect(!isClosed && text.matches(of: /HTTP\/1.1 200/).count == 4)
        }
    }
}

/// What strangers who take their time can hold; with times that a test can wait for.
@Suite(.timeLimit(.minutes(5))) struct SlowVisitorTests {
    private let patient = WebServerRun(limit: 64, first: .milliseconds(300), whole: .milliseconds(400))

    @Test func aHeadThatIsSentByteByByteIsCutOff() async throws {
        try await patient.serving { port in
            let client = try RawClient(port)
            try await client.send("GET /health HTTP/1.1\r\n")
            try await eventually("it is cut off") {
                try await client.send("X-A: b\r\n")
                return client.isClosed
            }
        }
    }

    @Test func aBodyThatNeverEndsIsCutOff() async throws {
        try await patient.serving { port in
            let known = try RawClient(port)
            try await known.send("POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
            let chunked = try RawClient(port)
            try await chunked.send("POST /u/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            let read = try RawClient(port)
            try await read.send("GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
            try await eventually("they are cut off") {
                try await known.send("a")
                try await chunked.send("1\r\na\r\n")
                try await read.send("a")
                return known.isClosed && chunked.isClosed
            }
            // Who is answered before the end of the request is told so, and then cut off.
            #expect(try await read.receive().isClosed)
        }
    }

    @Test func answersThatNobodyReadsHoldNoConnection() async throws {
        try await patient.serving { port in
            let client = try RawClient(port)
            try await eventually("it is cut off", within: 60) {
                try await !client.send(String(repeating: "GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n", count: 1000))
            }
        }
    }

    @Test func manyIdleConnectionsKeepNobodyOut() async throws {
        try await WebServerRun(limit: 100, first: .seconds(60), whole: .seconds(60)).serving { port in
            let idle = try (0..<500).map { _ in try RawClient(port) }
            try await eventually("they have made room") { idle.count(where: \.isClosed) >= 400 }
            for _ in 0..<3 {
                let client = try RawClient(port)
                try await client.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                #expect(try await client.receive().text.hasPrefix("HTTP/1.1 200"))
            }
        }
    }

    /// Whoever begins a POST and does not end it holds no place either.
    @Test func unfinishedRequestsKeepNobodyOut() async throws {
        try await WebServerRun(limit: 20, first: .seconds(60), whole: .seconds(60)).serving { port in
            let unfinished = try (0..<60).map { _ in try RawClient(port) }
            for client in unfinished { try await client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n") }
            try await eventually("they have made room") { unfinished.count(where: \.isClosed) >= 40 }
            for _ in 0..<3 {
                let client = try RawClient(port)
                try await client.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                #expect(try await client.receive().text.hasPrefix("HTTP/1.1 200"))
            }
        }
    }
}
