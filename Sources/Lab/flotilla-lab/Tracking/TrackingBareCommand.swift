import ArgumentParser
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// `flotilla-lab tracking bare`: the same answers by hummingbird alone, to measure the tracker against.
struct TrackingBareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare", abstract: "Answer like a tracker that reads no tokens and keeps no events: what hummingbird itself costs.",
        discussion: "Serves a pixel below /o/ and a redirect below /c/ until SIGTERM or Ctrl-C.")

    @Option(help: "A port of 127.0.0.1.") var port: Int

    func validate() throws {
        guard 1...65_535 ~= port else { throw ValidationError("--port is a number from 1 to 65535") }
    }

    func run() async throws {
        let router = Router()
        let pixel = ByteBuffer(bytes: Self.pixel)
        router.get("/o/:token") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "image/gif", .cacheControl: "no-store"], body: ResponseBody(byteBuffer: pixel))
        }
        router.get("/c/:token/:payload") { _, _ in
            Response(status: .found, headers: [.location: "https://www.example.com/", .cacheControl: "no-store"])
        }
        var logger = Logger(label: "bare")
        logger.logLevel = .warning
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger)
        try await application.runService()
    }

    /// A transparent GIF of one pixel, 43 bytes.
    private static let pixel: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04,
        0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00,
        0x3b,
    ]
}
