@echo off
rem Starts the server on Windows: Bun on build\bun or on the sources, else Node on build\. See bin/redstart.
setlocal
set "root=%~dp0.."
set "bun=%REDSTART_BUN%"
if not defined bun if exist "%root%\node_modules\bun\bin\bun.exe" set "bun=%root%\node_modules\bun\bin\bun.exe"
if not defined bun if exist "%root%\..\bun\bin\bun.exe" set "bun=%root%\..\bun\bin\bun.exe"
if not defined bun for %%b in (bun.exe) do if not "%%~$PATH:b"=="" set "bun=%%~$PATH:b"
if /i "%REDSTART_RUNTIME%"=="node" goto node
if defined bun goto bun
if /i "%REDSTART_RUNTIME%"=="bun" (
  echo redstart: Bun is not installed: npm install bun, or see https://bun.sh 1>&2
  exit /b 1
)
:node
if not exist "%root%\build\src\main.js" (
  echo redstart: there is no build\ to run on Node: run "npm install" and "npm run build" in %root%, or install Bun. 1>&2
  exit /b 1
)
node "%root%\build\src\main.js" %*
exit /b %errorlevel%
:bun
set "main=%root%\src\main.ts"
if not exist "%root%\tsconfig.build.json" if exist "%root%\build\bun\main.js" set "main=%root%\build\bun\main.js"
"%bun%" --no-install --no-env-file --config="%~dp0bunfig.toml" "%main%" %*
exit /b %errorlevel%
