import Testing

@testable import Config

/// Keys that begin with `x-`: for people and their tools, and what `/config` says of problems.
@Suite struct NoteTests {
    @Test func notesSayNothingAtTheTopOfEitherFile() throws {
        let text = "services_file: s.yaml\nx-common: &common {idle: 5s}\nx-owner: [shop, 7]\n"
        let configuration = try load(text, services: "x-made-by: {tool: 3}\nservices: []\n")
        #expect(configuration.services.isEmpty)
    }

    @Test func anywhereElseTheyAreUnknownKeys() {
        let (text, problem) = marked("admin: {▸x-note: 1}\n", "unknown key 'x-note'")
        #expect(problems(text).count == 1)
        #expect(problems(text).first?.hasPrefix(problem) == true)
    }

    @Test func problemsArePrintedAsANoteThatLoadsAgain() throws {
        let configuration = try load("workers: 3\n")
        #expect(!configuration.json.contains("x-problems"))
        let text = configuration.json(problems: ["listener web: tls: not_pem: \"a\" has none"])
        #expect(
            text.hasSuffix(
                """
                ,
                  "x-problems": [
                    "listener web: tls: not_pem: \\"a\\" has none"
                  ]
                }

                """))
        let again = try load(text)
        #expect(again.json == configuration.json)
    }
}
