import Testing
@testable import IO
