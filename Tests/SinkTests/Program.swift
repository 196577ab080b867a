import TestServers

/// A program that we did not write, run to its end.
struct Program {
    var status: Int32
    var output: String
    var errors: String

    /// Runs a program.
    /// - Parameter package: what installs it, for the message when it is missing.
    static func run(_ name: String, _ arguments: [String], package: String) async throws -> Program {
        try await start(name, arguments, package: package).end()
    }

    static func python(_ script: String, _ arguments: [String] = []) async throws -> Program {
        try await run("python3", ["-c", script] + arguments, package: "python3")
    }

    static func start(_ name: String, _ arguments: [String], package: String) throws -> Started {
        let folder = try TemporaryFolder()
        let process = try ServerProcess(
            name, arguments, package: package, output: folder.path("out"), errors: folder.path("err"))
        return Started(process: process, folder: folder)
    }

    /// A program that runs; it is killed with the last copy of this value.
    struct Started {
        fileprivate let process: ServerProcess
        fileprivate let folder: TemporaryFolder

        func signal(_ number: Int32) { process.signal(number) }

        func end() async throws -> Program {
            let status = try await eventually("the program ends: \(folder.text("err") ?? "")") { process.ended }
            return Program(status: status, output: folder.text("out") ?? "", errors: folder.text("err") ?? "")
        }

        /// Waits until the output has so many lines.
        func lines(_ count: Int) async throws -> [String] {
            try await eventually("\(count) lines of output") {
                let lines = folder.lines("out")
                return lines.count >= count ? lines : nil
            }
        }
    }
}
