# alp_embed(OUT symbol base files...): a C file that carries the bytes of the
# files as `const struct embedded_file <symbol>[]`, ended by a row without a
# name. Names are relative to base. See services/common/embedded.h.
function(alp_embed out symbol base)
	set(generated ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
	set(inputs)
	foreach(file ${ARGN})
		list(APPEND inputs ${base}/${file})
	endforeach()
	add_custom_command(
		OUTPUT ${generated}
		COMMAND ${CMAKE_COMMAND} -D "OUT=${generated}" -D "SYMBOL=${symbol}" -D "BASE=${base}" -D "FILES=${ARGN}"
			-P ${CMAKE_SOURCE_DIR}/deploy/cmake/embed-files.cmake
		DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/deploy/cmake/embed-files.cmake
		VERBATIM)
	set(${out} ${generated} PARENT_SCOPE)
endfunction()
